# SPDX-License-Identifier: Apache-2.0
# Prints C source with comments and the insides of literals blanked, line for
# line, so that a search for calls finds calls only.
BEGIN { state = "code" }
{
	out = ""
	n = length($0)
	for (i = 1; i <= n; i++) {
		c = substr($0, i, 1)
		two = substr($0, i, 2)
		if (state == "comment") {
			if (two == "*/") {
				state = "code"
				i++
			}
		} else if (state == "string" || state == "char") {
			if (c == "\\")
				i++
			else if ((state == "string" && c == "\"") || (state == "char" && c == "'")) {
				state = "code"
				out = out c
			}
		} else if (two == "//") {
			break
		} else if (two == "/*") {
			state = "comment"
			i++
			out = out " "
		} else {
			if (c == "\"")
				state = "string"
			else if (c == "'")
				state = "char"
			out = out c
		}
	}
	if (state == "char" || (state == "string" && substr($0, n, 1) != "\\"))
		state = "code"
	print out
}
