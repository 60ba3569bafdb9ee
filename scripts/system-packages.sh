#!/bin/sh
# Installs the system libraries that Linkloom links against, or says exactly which ones to install.
set -eu

packages="libyaml-dev libzstd-dev libopenblas-dev libarchive-dev libssl-dev pkg-config make"

if ! command -v swift >/dev/null 2>&1; then
    echo "error: swift is not on the PATH" >&2
    echo "  fix: install Swift 6.3 for Linux (https://www.swift.org/install/linux) and run this again" >&2
    exit 1
fi
if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "note: no Debian package manager here; these libraries and their headers are needed: $packages" >&2
    exit 0
fi

missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
    sudo=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo="sudo"
else
    echo "error: these system packages are missing:$missing" >&2
    echo "  fix: sudo apt-get install$missing" >&2
    exit 1
fi
echo "installing system packages:$missing" >&2
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq $missing >/dev/null
