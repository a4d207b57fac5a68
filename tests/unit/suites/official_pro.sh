# The published evaluation steps of SWE-bench Pro, in our own words, for comparison.
# Arguments: work tree, base commit, folder with patch.diff, run_script.sh and parser.py, last setup line, test files.
cd "$1"
git reset --hard "$2"
git checkout "$2"
git apply -v "$3/patch.diff"
eval "$4"
eval "bash $3/run_script.sh $5 > $3/stdout.log 2> $3/stderr.log"
python3 "$3/parser.py" "$3/stdout.log" "$3/stderr.log" "$3/output.json"
