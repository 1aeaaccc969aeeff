# The virtual environment of the system tests. Sourced after common.sh, never run.
# shellcheck shell=bash

# python_ready: makes $NOSTRO_HOME/venv anew where tests/system/requirements.txt or the interpreter changed.
python_ready() {
    local python=/usr/bin/python3 venv=$NOSTRO_HOME/venv log=$logs/venv.log stamp
    [ -x "$python" ] || python=python3
    stamp="$("$python" --version) $(sha256sum tests/system/requirements.txt | cut -d ' ' -f 1)"
    [ "$(cat "$venv/.made" 2>/dev/null)" = "$stamp" ] && return
    make_venv() {
        rm -rf "$venv" && "$python" -m venv "$venv" &&
            "$venv/bin/pip" --disable-pip-version-check --no-input install --require-hashes -r tests/system/requirements.txt &&
            echo "$stamp" >"$venv/.made"
    }
    if ! logged "$log" make_venv; then
        tail -n 10 "$log" >&2
        say "the Python packages of tests/system could not be installed; all of it: $log" >&2
        return 1
    fi
}
