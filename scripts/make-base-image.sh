#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes sure the image debian:bookworm-slim is there for the Dockerfile: it is
# pulled when a registry can be reached, else built here with debootstrap.
#   scripts/make-base-image.sh [--local]   --local: do not try to pull
# Debian comes from the mirror that this machine's apt uses; DEBIAN_MIRROR names
# another. Needs root (or sudo) for debootstrap.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
image=debian:bookworm-slim
pull_seconds=120

# The archive that apt knows as bookworm's main.
mirror_of_apt()
{
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk '$2 == "bookworm" && $3 == "main" { sub("/$", "", $1); print $1; exit }'
}

if docker image inspect "$image" >/dev/null 2>&1; then
	echo "$image is here already"
	exit 0
fi
if [ "${1:-}" != --local ] && timeout "$pull_seconds" docker pull -q "$image" 2>/dev/null; then
	exit 0
fi
mirror=${DEBIAN_MIRROR:-$(mirror_of_apt)}
if [ -z "$mirror" ]; then
	echo "$0: apt knows no bookworm archive; name one with DEBIAN_MIRROR" >&2
	exit 1
fi
echo "$image cannot be pulled here: building it with debootstrap from $mirror"
if [ "$(id -u)" -ne 0 ]; then
	exec sudo DEBIAN_MIRROR="$mirror" "$0" --local
fi
"$here/setup-debian.sh" base-image

work=$(mktemp -d /var/tmp/cascade-base.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=$work/root

debootstrap --variant=minbase bookworm "$root" "$mirror" >"$work/log" 2>&1 || {
	tail -n 20 "$work/log" >&2
	exit 1
}

# What the official slim image leaves out: nobody reads manuals in a container.
cat >"$root/etc/dpkg/dpkg.cfg.d/slim" <<'END'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
END
find "$root/usr/share/doc" -type f ! -name copyright -delete
rm -rf "$root"/usr/share/man/* "$root"/usr/share/info/* "$root"/usr/share/locale/*
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/log/*.log
rm -f "$root"/var/cache/apt/archives/*.deb "$root"/etc/hostname "$root"/etc/resolv.conf

# Builds on this image reach Debian the way this machine does. A setting with a
# password in it stays out of the image.
cat >"$root/etc/apt/sources.list" <<END
deb $mirror bookworm main
deb $mirror bookworm-updates main
deb ${mirror%/debian}/debian-security bookworm-security main
END
apt-config dump | grep -E '^Acquire::(http|https|Check)' | grep -v '@' \
	>"$root/etc/apt/apt.conf.d/90-build-host" || true
echo 'APT::Install-Recommends "false";' >"$root/etc/apt/apt.conf.d/91-slim"

tar -C "$root" --numeric-owner -c . |
	docker import --change 'CMD ["bash"]' - "$image" >/dev/null
docker image inspect --format "$image: {{.Size}} bytes" "$image"
