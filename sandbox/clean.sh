#!/bin/sh
# Removes everything that one sandbox has made: clean.sh <its folder below .sandbox/run>.
# The one way down, used by stop(), by the watcher when the owner has died, and by the sweep at the next
# start. It reads what the folder says and looks for the rest by names that are this sandbox's alone, so that
# it also works half-way through a start, and a second time. Needs the rights of who started the engine.
set -u
run=$1
id=$(basename "$run")
case $id in kg-*) ;; *) echo "not a sandbox: $run" >&2; exit 2 ;; esac
[ -d "$run" ] || exit 0
sockets=$(cat "$run/sockets" 2>/dev/null) || sockets=
# Where ip(8) and others are, if the machine has none of its own.
if [ -f "$run/environment" ]; then . "$run/environment"; fi

# What an engine must do itself while it still runs.
if [ -f "$run/before-stop" ]; then timeout 30 sh "$run/before-stop" >/dev/null 2>&1; fi

# Processes that were started for this sandbox carry its id in their environment; the engine gives containers
# another one, but keeps them in the sandbox's own cgroup. A pid from a file could be somebody else's by now.
ours() {
  grep -lzx "KNOWNGOOD_SANDBOX_RUN=$id" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
}
contained() {
  find /sys/fs/cgroup -type d -path "*/$id/*" -exec cat '{}/cgroup.procs' ';' 2>/dev/null | sort -u
}

# Shims keep their sockets in one folder for all of the machine; where, is known as long as they live.
shims=$(find "$run/containerd/state" \( -name address -o -name bootstrap.json \) -exec cat '{}' + 2>/dev/null |
  grep -o '/run/containerd/s/[0-9a-f]*')

# Killed at once: what a daemon would tidy up itself is removed below, and its data is of no use to anybody.
# Once more as long as there is something, since a daemon may have been starting a process at that moment.
for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  pids="$(ours) $(contained)"
  [ -z "$(echo $pids)" ] && break
  for pid in $pids; do kill -KILL "$pid"; done 2>/dev/null
  sleep 0.05
done

for socket in $shims; do rm -f "$socket"; done

# Mounts of layers, network namespaces and shims, innermost first.
mounts() { awk -v a="$run/" -v b="${sockets:-/nowhere}/" 'index($2, a) == 1 || index($2, b) == 1 { print $2 }' /proc/self/mounts; }
for attempt in 1 2 3; do
  mounts | sort -r | while read -r mount; do umount -l "$mount" 2>/dev/null; done
  [ -z "$(mounts)" ] && break
done

# The bridge, and the bridges that the engine made for networks out of this sandbox's own address block.
if [ -f "$run/bridge" ]; then
  read -r bridge block <"$run/bridge"
  for link in $(ip -o -4 addr show | awk -v block="$block." 'index($4, block) == 1 { print $2 }'); do
    ip link del "$link" 2>/dev/null
  done
  ip link del "$bridge" 2>/dev/null
fi

find /sys/fs/cgroup -depth -type d \( -name "$id" -o -path "*/$id/*" \) -exec rmdir '{}' ';' 2>/dev/null
case $sockets in */kg-*) rm -rf "$sockets" ;; esac
rm -rf "$run"
[ ! -e "$run" ]
