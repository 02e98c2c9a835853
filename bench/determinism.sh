#!/usr/bin/env bash
# Whether two runs of a profile give the same bytes: of every file under data/ and results/, and of the lock files.
#
#   bench/determinism.sh [PROFILE]    demo; one of those under params/. In an environment that has the project
#
# What git has of this folder is cloned twice, under $SCRATCH (scratch/): one clone is run on one core, the other on
# four, in a folder with a space and an accent in its name, in another time zone, locale and order of hashes.
# ANOTHER_LOCALE (C) can be one with decimal commas. Prints the seconds of both and the number of files, and fails where
# `diff` of their md5s is not empty.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${1:-demo}
place=${SCRATCH:-scratch}/determinism
rm -rf "$place"
mkdir -p "$place"
place=$(cd "$place" && pwd)

made() { # FOLDER CORES: run the profile in a clone
    git clone --quiet . "$1"
    (
        cd "$1"
        begun=$SECONDS
        PYTHONPATH=$PWD snakemake --cores "$2" "results/$profile/table.csv" >snakemake.log 2>&1 ||
            { tail -n 50 snakemake.log && exit 1; }
        echo "$((SECONDS - begun)) s on $2 core(s), $(date +%Z), ${LC_ALL:-$LANG}, in $1"
    )
}

sums() { # FOLDER: md5 and path of what DVC versions and how it says so
    (cd "$1" && find data results params -type f -exec md5sum {} + | LC_ALL=C sort --key=2)
}

TZ=UTC LC_ALL=C.UTF-8 PYTHONHASHSEED=0 made "$place/here" 1
TZ=Pacific/Chatham LC_ALL=${ANOTHER_LOCALE:-C} PYTHONHASHSEED=1 made "$place/une autre démo" 4
diff <(sums "$place/here") <(sums "$place/une autre démo")
echo "$(sums "$place/here" | wc -l) files, the same bytes"
