#!/usr/bin/env bash
# Builds the app for macOS and a disk image of it in build/packages. Needs Python 3.11 or newer and Xcode's tools.
# SIGN_IDENTITY  a "Developer ID Application" in the keychain; without it the app is signed for this computer alone
# NOTARY_PROFILE a profile that `xcrun notarytool store-credentials` has saved; without it Apple is not asked
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

python=build/recipes/environment/bin/python
export PYTHONHASHSEED=1
"${PYTHON:-python3}" -m venv --clear build/recipes/environment
for lock in runtime build package; do
    "$python" -m pip install --quiet --no-deps --require-hashes --only-binary=:all: \
        -r "packaging/requirements/$lock.txt"
done
"$python" -m pip install --quiet --no-deps --no-build-isolation .

"$python" packaging/recipes/make_icon.py build/recipes/usage-viewer.iconset
iconutil --convert icns --output build/recipes/usage-viewer.icns build/recipes/usage-viewer.iconset
"$python" -m PyInstaller --noconfirm --distpath build/recipes/output --workpath build/recipes/work \
    packaging/recipes/desktop.spec
app="build/recipes/output/Usage Viewer.app"
"$python" packaging/recipes/write_licences.py "$app/Contents/Resources/licences"

# The libraries inside are signed first: the signature of the app contains those of its parts.
identity=${SIGN_IDENTITY:--}
options=(--force --options runtime --sign "$identity")
if [ "$identity" != - ]; then
    options+=(--timestamp)
fi
find "$app/Contents" -type f \( -name '*.so' -o -name '*.dylib' \) -exec codesign "${options[@]}" {} +
find "$app/Contents" -type d -name '*.framework' -exec codesign "${options[@]}" {} +
codesign "${options[@]}" --entitlements packaging/recipes/macos/entitlements.plist "$app"
codesign --verify --deep --strict "$app"

version=$("$python" -c 'import usage_viewer; print(usage_viewer.__version__)')
image="build/packages/usage-viewer-$version-macos-$(uname -m).dmg"
contents=build/recipes/image
rm -rf "$contents"
mkdir -p "$contents" build/packages
cp -R "$app" "$contents/"
ln -s /Applications "$contents/Applications"
hdiutil create -quiet -ov -volname "Usage Viewer" -srcfolder "$contents" -format UDZO "$image"

if [ -n "${NOTARY_PROFILE:-}" ]; then
    codesign --force --timestamp --sign "$identity" "$image"
    xcrun notarytool submit "$image" --keychain-profile "$NOTARY_PROFILE" --wait
    xcrun stapler staple "$image"
fi
"$app/Contents/MacOS/usage-viewer" --version
echo "$image"
