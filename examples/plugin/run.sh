#!/usr/bin/env bash
# Everything that the plug-in brings, by the command line and in two processes under torchrun. Needs
# icgan-sdk and this package in the environment; takes a folder to write to.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${1:?give a folder to write to}

for n in $(seq 128); do [ $((n % 2)) = 0 ] && echo bright || echo dark; done >"$work/stripes.txt"
icgan data prepare with stripes "$work/stripes.txt" "$work/data" --size 16
icgan train "$here/flat.toml" --data "$work/data" --out "$work/run"
grep -q '"icgan-example-plugin"' "$work/run/artefact/config.json"
icgan sample --model "$work/run/artefact" -n 4 -o "$work/sample.png"
icgan evaluate "$work/run/artefact" --data "$work/data" --out "$work/report" --metric brightness \
    --device cpu
torchrun --nproc-per-node 2 -m icgan_sdk.cli.main train "$here/flat.toml" --data "$work/data" \
    --out "$work/two"
test -s "$work/two/artefact/generator.safetensors"
