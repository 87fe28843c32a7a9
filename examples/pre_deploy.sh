#!/bin/sh
# Freezes a model as a step of a build, and fails the build when the result cannot be trusted.
#
#   examples/pre_deploy.sh MODEL OUTPUT [OPTION...]       for instance
#   examples/pre_deploy.sh train/model-9000.meta build/frozen.pb --outputs logits
#
# Options go to `bnfix freeze`. The report is kept beside the result as OUTPUT.json. A result of an earlier build is
# replaced; when this one fails, it stays as it was. BNFIX is the path of another bnfix than the one of this project.
set -u

if [ $# -lt 2 ]; then
  echo "usage: $0 MODEL OUTPUT [bnfix freeze option...]" >&2
  exit 2
fi
model=$1
output=$2
shift 2

mkdir -p "$(dirname "$output")"
report=$output.json
bnfix() {
  if [ -n "${BNFIX:-}" ]; then "$BNFIX" "$@"; else npx --no-install bnfix "$@"; fi
}
bnfix freeze "$model" -o "$output" --force --json "$@" > "$report.new"
code=$?

if [ $code -eq 0 ]; then
  mv "$report.new" "$report"
  echo "pre-deploy: $output is frozen; what was done is in $report"
  exit 0
fi

rm -f "$report.new"
case $code in
  2) next='correct the arguments: name the outputs (--outputs) or the option that the message above asks for' ;;
  3) next='get the model again: a file is missing, corrupt or of another kind; all files must be of one save' ;;
  4) next='ask who trained it: statistics or variables are missing or untrained; --checkpoint, --map or --allow-untrained' ;;
  5) next='bnfix does not know this pattern yet: choose other --outputs, or --keep what you know to be right' ;;
  6) next='free disk space, create the folder, or fix the permissions' ;;
  70) next='a bug in bnfix: run it again with -v, and report the output' ;;
  126 | 127) next='install bnfix first: npm ci' ;;
  130) next='interrupted: run the build again' ;;
  *) next='see the message above' ;;
esac
echo "pre-deploy: FAILED ($code), do not deploy $model" >&2
echo "pre-deploy: next: $next" >&2
exit $code
