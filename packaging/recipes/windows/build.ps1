# Builds the folder and the installer for Windows in build\packages. Needs Python 3.11 or newer and NSIS.
# With SIGN_COMMAND, such as `signtool sign /fd sha256 /tr ADDRESS /td sha256 /n NAME`, the programs are signed.
$ErrorActionPreference = "Stop"
$PSNativeCommandUseErrorActionPreference = $true
Set-Location (Join-Path $PSScriptRoot "..\..\..")

$env:PYTHONHASHSEED = "1"
$environment = "build\recipes\environment"
python -m venv --clear $environment
$python = "$environment\Scripts\python.exe"
foreach ($lock in "runtime", "build", "package") {
    & $python -m pip install --quiet --no-deps --require-hashes --only-binary=:all: -r "packaging\requirements\$lock.txt"
}
& $python -m pip install --quiet --no-deps --no-build-isolation .
& $python packaging\recipes\make_icon.py build\recipes\usage-viewer.ico
& $python -m PyInstaller --noconfirm --distpath build\packages --workpath build\recipes\work packaging\recipes\desktop.spec
& $python packaging\recipes\write_licences.py build\packages\usage-viewer\licences

$version = & $python -c "import usage_viewer; print(usage_viewer.__version__)"
$folder = (Resolve-Path "build\packages\usage-viewer").Path
if ($env:SIGN_COMMAND) {
    cmd /c "$env:SIGN_COMMAND `"$folder\usage-viewer.exe`" `"$folder\usage-viewer-window.exe`""
}
$target = "$(Resolve-Path build\packages)\usage-viewer-$version-windows-setup.exe"
makensis "-DVERSION=$version" "-DFOLDER=$folder" "-DLICENCE=$(Resolve-Path LICENSE)" "-DTARGET=$target" packaging\recipes\windows\installer.nsi
if ($env:SIGN_COMMAND) {
    cmd /c "$env:SIGN_COMMAND `"$target`""
}
& "$folder\usage-viewer.exe" --version
