# SPDX-License-Identifier: Apache-2.0
"""What runs the benchmark and tells what came of it; bench/run.py is the program."""
