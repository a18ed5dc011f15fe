#!/usr/bin/env bash
# Install the named Debian packages where they are missing: chromium, fonts with every Vietnamese letter and libatomic1 (for the node that drives the browser) for
# browser tests, python3-venv where Debian's Python comes without it, PostgreSQL (its programs only: tests start their own server). Does nothing where they are there.
set -euo pipefail
missing=()
for package in "$@"; do
  dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
  if sudo -n true 2>/dev/null; then exec sudo "$0" "$@"; fi
  echo "Cần cài gói hệ thống / Debian packages are needed: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
if [[ " ${missing[*]} " == *" postgresql "* ]]; then  # no cluster and no service of its own
  mkdir -p /etc/postgresql-common/createcluster.d
  echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/tkyt.conf
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
