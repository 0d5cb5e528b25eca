#!/usr/bin/env bash
# Makes an AppImage of the folder that `make package` has built. The directory of the AppImage is made without any
# tool; the file needs `appimagetool` on PATH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

id=io.github.usage_viewer.UsageViewer
folders=(build/packages/usage-viewer-*-linux-x86_64)
if [ ! -x "${folders[0]}/usage-viewer" ]; then
    echo "There is no folder in build/packages. Run \`make package\` first." >&2
    exit 1
fi
folder=${folders[0]}
name=$(basename "$folder")
directory=build/appimage/UsageViewer.AppDir

rm -rf "$directory"
mkdir -p "$directory/usr/lib" "$directory/usr/share/applications" "$directory/usr/share/metainfo" \
    "$directory/usr/share/icons/hicolor/scalable/apps"
cp -a "$folder" "$directory/usr/lib/usage-viewer"
ln -s usr/lib/usage-viewer/usage-viewer "$directory/AppRun"
cp "packaging/$id.desktop" "$directory/usr/share/applications/"
cp "packaging/$id.desktop" "$directory/"
cp "packaging/$id.metainfo.xml" "$directory/usr/share/metainfo/"
cp resources/icons/usage-viewer.svg "$directory/usr/share/icons/hicolor/scalable/apps/$id.svg"
cp resources/icons/usage-viewer.svg "$directory/$id.svg"
ln -s "$id.svg" "$directory/.DirIcon"

if ! command -v appimagetool >/dev/null; then
    echo "$directory is complete. appimagetool is not on PATH, so no file was made of it." >&2
    exit 0
fi
# Symbols stay: removing them breaks numpy's libraries.
NO_STRIP=1 ARCH=x86_64 appimagetool "$directory" "build/packages/$name.AppImage"
