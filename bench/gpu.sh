#!/usr/bin/env bash
# What this project wants to know from a machine with a GPU, possibly without a network, in slices that resume.
#
#   bench/gpu.sh                    the next slices, until BENCH_SECONDS are used; exit code 75: call it again
#   bench/gpu.sh --list             the slices, and which are done
#   bench/gpu.sh speed mnist        these slices, done or not
#   bench/gpu.sh --wheels FOLDER    where there is a network: fetch the wheels that the other machine lacks
#
#   BENCH_SECONDS   540             of wall time; what runs then is stopped by SIGTERM and goes on from its checkpoint
#   BENCH_PROFILE   paper           params/<name>/params.yaml, which also names the device
#   BENCH_JOBS      1               trainings at once on the GPU
#   OUT             results/gpu     where measurements and logs are put; docs/gpu.md lists them
#   PYTHON          .venv's, or python3: one that has torch
#   WAE_WHEELS                      a folder of wheels to install first, without a network
#   WAE_MIRROR                      a folder that holds mnist/ and celeba/, as downloaded
#
# For --wheels: WHEELS_PYTHON (3.12) of the other machine, and WITHOUT, the packages that need not be fetched.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$PWD/scratch/gpu

fetch() {
    local uv python=${WHEELS_PYTHON:-3.12} platform=manylinux_2_28 without=() name
    local export=(export --quiet --frozen --no-hashes --no-annotate --no-header)
    uv=$(command -v uv || echo .uv/bin/uv)
    for name in ${WITHOUT-torch torchvision dvc}; do without+=(--prune "$name"); done
    mkdir -p "$1"
    # The lock file has a version for each Python; compiling it without dependencies leaves that of the other machine.
    {
        "$uv" "${export[@]}" --no-emit-project --no-dev "${without[@]}"
        "$uv" "${export[@]}" --only-group dev | grep -E '^(pytest|pytest-timeout|pluggy|iniconfig)=='
    } | "$uv" pip compile --quiet --no-deps --no-annotate --no-header --python-version "$python" \
        --python-platform "x86_64-$platform" - >"$1/requirements.txt"
    "$uv" build --quiet --wheel --out-dir "$1" .
    # Most have wheels; a few pure packages have only sources, from which pip builds one here.
    while read -r name; do
        "$uv" tool run pip download --quiet --no-deps --dest "$1" --only-binary=:all: --implementation cp \
            --python-version "$python" --platform "$platform"_x86_64 --platform manylinux_2_17_x86_64 \
            --platform manylinux2014_x86_64 "$name" 2>/dev/null ||
            "$uv" tool run pip wheel --quiet --no-deps --wheel-dir "$1" "$name"
    done <"$1/requirements.txt"
    du -sh "$1"
}

if [ "${1-}" = --wheels ]; then
    fetch "${2:?a folder for the wheels}"
    exit
fi

python=${PYTHON:-$([ -x .venv/bin/python ] && echo "$PWD/.venv/bin/python" || command -v python3)}
python=$(command -v "$python")
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}

if [ -n "${WAE_WHEELS-}" ]; then
    site=$scratch/site
    wanted=$(cd "$WAE_WHEELS" && printf '%s\n' *.whl)
    if [ "$wanted" != "$(cat "$site/.wheels" 2>/dev/null)" ]; then
        rm -rf "$site"
        "$python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --target "$site" \
            "$WAE_WHEELS"/*.whl
        echo "$wanted" >"$site/.wheels"
    fi
    PYTHONPATH=$PYTHONPATH:$site
fi

# The rules run `wae` by name, also where the project is not installed.
mkdir -p "$scratch/bin"
printf '#!/bin/sh\nexec "%s" -c "from wae.cli import main; main()" "$@"\n' "$python" >"$scratch/bin/wae"
chmod +x "$scratch/bin/wae"
export PATH=$scratch/bin:$PATH
exec "$python" bench/gpu.py "$@"
