# SPDX-License-Identifier: Apache-2.0
# Prints a GetPatientDetailResponse, as rpcctl indents it, for people to read: a
# line for each row. -v rows=N: at most so many of one section (0: all).
function field(line)
{
	sub(/^ *"[A-Za-z]+": "?/, "", line)
	sub(/"?,?$/, "", line)
	return line
}

# Joins what is there.
function add(text, more)
{
	if (more == "")
		return text
	return text == "" ? more : text "  " more
}

function span(from, to)
{
	return to == "" || to == from ? from : from " to " to
}

# The result in standard units, which the reference range is in.
function standard(value, unit, low, high, verdict,    text)
{
	if (low == "" && high == "")
		return verdict
	return add("= " value (unit == "1" ? "" : " " unit) " (" low " to " high ")", verdict)
}

function row(text)
{
	shown[section]++
	if (rows == 0 || shown[section] <= rows)
		print "    " text
}

function finish_section()
{
	if (section != "" && rows > 0 && shown[section] > rows)
		print "    ... and " shown[section] - rows " more"
	section = ""
}

function finish_item()
{
	if (section == "cases")
		row(add(add(add(add(sprintf("%-24s", span(f["startDtc"], f["endDtc"])), f["kind"]), f["term"]),
			f["severity"]), f["outcome"]))
	else if (section == "medications")
		row(add(add(add(add(sprintf("%-24s", span(f["startDtc"], f["endDtc"])), f["trt"]),
			add(f["dose"] f["doseText"], f["doseUnit"])), f["route"]), f["indication"]))
	else if (section == "visits")
		row(add(sprintf("%-24s", span(f["startDtc"], f["endDtc"])), f["visit"]))
	else if (section == "sections")
		printf("    %-12s %-12s %5d rows  %7d us  %s\n", f["section"], f["state"],
			f["count"], f["latencyUs"], f["error"])
	split("", f)
}

function finish_result()
{
	row(add(add(add(add(sprintf("%-24s", r["dtc"] == "" ? f["effectiveDtc"] : r["dtc"]), f["visit"]),
		r["test"]), r["orres"] " " r["orresu"]),
		standard(r["stresc"], r["stresu"], r["nrlo"], r["nrhi"], r["nrind"])))
	split("", r)
}

BEGIN {
	title["cases"] = "Cases"
	title["medications"] = "Medications"
	title["labReports"] = "Laboratory"
	title["vitalSigns"] = "Vital signs"
	title["visits"] = "Visits"
	title["sections"] = "Sections"
}

/^  "patient": \{/ { in_patient = 1 }
/^  }/ && in_patient {
	in_patient = 0
	print p["usubjid"] "  " p["family"] p["given"]
	print "    " add(add(add(add(p["sex"], p["age"] " " p["ageUnit"]), p["siteName"]), p["arm"]), p["status"])
}
in_patient && /^ +"[A-Za-z]+": / {
	key = $1
	gsub(/[":]/, "", key)
	p[key] = field($0)
}

/^  "[A-Za-z]+": \[/ {
	section = $1
	gsub(/[":]/, "", section)
	print title[section] == "" ? section : title[section]
	next
}
/^  \]/ { finish_section() }
/^    }/ && section != "" { finish_item() }
/^        }/ && section != "" { finish_result() }
/^      "[A-Za-z]+": / && section != "" {
	key = $1
	gsub(/[":]/, "", key)
	f[key] = field($0)
}
/^          "[A-Za-z]+": / && section != "" {
	key = $1
	gsub(/[":]/, "", key)
	r[key] = field($0)
}
/^  "complete": true/ { print "The view is complete." }
END {
	if (NR > 0 && $0 !~ /^}/)
		print "The view ends early."
}
