#!/bin/bash
#SBATCH --job-name=bc
#SBATCH --time=01:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=bc.out

# Two minutes before the time is up, or when the partition is needed for others, Slurm sends SIGTERM to this script.
# mvvm writes the snapshot and ends with status 75; the job goes back into the queue and goes on from there.
mvvm run --resume=bc.snap --checkpoint-every=5m bc.mvvm.wasm -- -g20 -n1000 &
program=$!
trap 'kill -TERM "$program"' TERM

# A signal ends `wait` before the program has ended; then it is waited for again.
wait "$program"
status=$?
while kill -0 "$program" 2>/dev/null; do
  wait "$program"
  status=$?
done

if [ "$status" -eq 75 ]; then
  scontrol requeue "$SLURM_JOB_ID"
  exit 0
fi
exit "$status"
