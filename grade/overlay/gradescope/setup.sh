#!/bin/sh
# Gradescope runs this once, as root, to make the image in which submissions are graded.
set -eu
cd "${AUTOGRADER_ROOT:-/autograder}/source/pristine"
DEBIAN_FRONTEND=noninteractive scripts/setup
scripts/doctor
