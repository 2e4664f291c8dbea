# Shared by the scripts beside it; sourced, never run.
# shellcheck shell=bash

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  say "$*"
  exit 1
}

# Ports below the kernel's ephemeral range (32768), so that no outgoing connection takes one first.
free_port() {
  local port
  for _ in {1..100}; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if ! accepts "$port"; then
      echo "$port"
      return
    fi
  done
  die "found no free port between 20000 and 32000"
}

accepts() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A process that has ended but that nobody has reaped counts as gone.
is_gone() {
  ! kill -0 "$1" 2>/dev/null || [[ "$(grep -s '^State:' "/proc/$1/status")" == *zombie* ]]
}

# wait_gone SECONDS PID
wait_gone() {
  local until=$((SECONDS + $1))
  until is_gone "$2"; do
    ((SECONDS < until)) || return 1
    sleep 0.05
  done
}

# wait_ready SECONDS PID LOG COMMAND…: until COMMAND succeeds; fails at once if PID ends first.
wait_ready() {
  local until=$((SECONDS + $1)) pid=$2 log=$3
  shift 3
  until "$@" >/dev/null 2>&1; do
    if is_gone "$pid" || ((SECONDS >= until)); then
      tail -n 30 "$log" >&2 || true
      return 1
    fi
    sleep 0.1
  done
}

# Starts COMMAND in a session of its own, so that a Ctrl-C in the terminal does not reach it before
# the orderly take-down does. Leaves the process id in $spawned.
# spawn LOG COMMAND…
spawn() {
  local log=$1
  shift
  setsid "$@" </dev/null >>"$log" 2>&1 &
  # shellcheck disable=SC2034 # for the caller
  spawned=$!
}

# new_directory DIR KIND: made once; a second start finds what the first one wrote.
new_directory() {
  mkdir -p "$1"
  echo "$2" >"$1/kind"
}

# The container engine that answers, if one does. WELCOMAT_TEST_SERVERS=installed passes it over.
engine() {
  [[ "${WELCOMAT_TEST_SERVERS:-}" != installed ]] || return 1
  local name
  for name in docker podman; do
    if command -v "$name" >/dev/null && timeout 10 "$name" info >/dev/null 2>&1; then
      echo "$name"
      return
    fi
  done
  return 1
}

# container_start DIR IMAGE HOST_PORT INNER_PORT ARGUMENT…: the first time makes the container, later
# ones start it again with its data and port.
container_start() {
  local dir=$1 image=$2 port=$3 inner=$4 engine
  shift 4
  engine=$(cat "$dir/engine")
  if [[ -s "$dir/container" ]]; then
    "$engine" start "$(cat "$dir/container")" >/dev/null
  else
    "$engine" run --detach --publish "127.0.0.1:$port:$inner" "$@" "$image" >"$dir/container"
  fi
}

# container_do DIR stop|kill|rm…
container_do() {
  [[ ! -s "$1/container" ]] || "$(cat "$1/engine")" "${@:2}" "$(cat "$1/container")" >/dev/null 2>&1 || true
}

container_is() { [[ -s "$1/engine" ]]; }

# choose_engine DIR IMAGE: decides once whether this server lives in a container. An engine that
# cannot get the image is no help.
choose_engine() {
  local name
  [[ ! -e "$1/engine" ]] || return 0
  : >"$1/engine"
  name=$(engine) || return 0
  if "$name" image inspect "$2" >/dev/null 2>&1 || "$name" pull --quiet "$2" >/dev/null 2>&1; then
    echo "$name" >"$1/engine"
  else
    say "$name answers but cannot get $2; looking for installed servers"
  fi
}

# install_packages WHAT_FOR PACKAGE…: Debian's packages, as root or with sudo that asks nothing.
install_packages() {
  local what=$1 root=() policy=/usr/sbin/policy-rc.d made_policy=
  shift
  local advice="$what is needed and not installed; install it (Debian and Ubuntu: apt-get install $*) or start a container engine"
  command -v apt-get >/dev/null || die "$advice"
  if ((EUID != 0)); then
    sudo -n true 2>/dev/null || die "$advice"
    root=(sudo -n)
  fi
  say "installing $* for $what"
  # One after the other: apt-get waits for the lock of dpkg, but not for that of its own lists.
  local turn
  exec {turn}>"/tmp/welcomat-packages.$EUID.lock"
  flock "$turn"
  # The packages start services on the standard ports; this file forbids it (exit code 101).
  if [[ ! -e "$policy" ]]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
    "${root[@]}" chmod 755 "$policy"
  fi
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  local log status=0
  log=$(mktemp)
  { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@"; } >"$log" 2>&1 || status=$?
  [[ -z "$made_policy" ]] || "${root[@]}" rm -f "$policy"
  ((status == 0)) || tail -n 30 "$log" >&2
  rm -f "$log"
  exec {turn}>&-
  ((status == 0)) || die "apt-get could not install $*"
}

# python_with MODULE…: the Python that has them all; nothing if there is none.
python_with() {
  local python imports
  imports=$(printf 'import %s\n' "$@")
  for python in /usr/bin/python3 python3; do
    if "$python" -c "$imports" >/dev/null 2>&1; then
      command -v "$python"
      return
    fi
  done
}

# need_python PACKAGE MODULE…: the same, with Debian's PACKAGE installed if there is none.
need_python() {
  local package=$1 python
  shift
  python=$(python_with "$@")
  if [[ -z "$python" ]]; then
    install_packages "Python's $1" "$package"
    python=$(python_with "$@")
    [[ -n "$python" ]] || die "$package is installed, but no Python imports $*"
  fi
  echo "$python"
}

# pypi_tool PACKAGE VERSION: the directory of a venv below target/tools that has this package of PyPI,
# made when it is first asked for, whole or not at all.
pypi_tool() {
  local package=$1 version=$2 target tools python=/usr/bin/python3 new
  target=${CARGO_TARGET_DIR:-$(dirname "${BASH_SOURCE[0]}")/../../target}
  tools=$target/tools/$package-$version
  if [[ ! -d "$tools" ]]; then
    [[ -x "$python" ]] || python=$(command -v python3) || die "Python 3.10 or newer is needed"
    "$python" -c 'import ensurepip' 2>/dev/null || install_packages "Python's venv" python3-venv
    say "installing $package $version"
    mkdir -p "$target/tools"
    new=$(mktemp -d "$target/tools/new.XXXXXX")
    "$python" -m venv "$new"
    "$new/bin/python" -m pip install --quiet --disable-pip-version-check "$package==$version" >&2 ||
      die "$package $version cannot be installed from PyPI"
    mv -T "$new" "$tools" 2>/dev/null || [[ -d "$tools" ]] || die "cannot make $tools"
  fi
  (cd "$tools" && pwd)
}

# run_verb DIR VERB: maps the command line to start_server, stop_server, kill_server.
run_verb() {
  local usage="usage: ${0##*/} {start|stop|kill|destroy} DIR"
  (($# == 2)) || die "$usage"
  local verb=$1 dir
  [[ "$verb" == start ]] || [[ -d "$2" ]] || return 0
  mkdir -p "$2"
  dir=$(cd "$2" && pwd -P)
  case "$verb" in
    start | stop | kill) "${verb}_server" "$dir" ;;
    destroy)
      stop_server "$dir"
      container_do "$dir" rm --force --volumes
      rm -rf "$dir"
      ;;
    *) die "$usage" ;;
  esac
}
