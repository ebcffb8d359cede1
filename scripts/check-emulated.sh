#!/usr/bin/env bash
# The C++ tests with AVX-512 and VNNI on a CPU that has neither: in Bochs, an emulator of a whole Ice Lake PC.
#
#   scripts/check-emulated.sh [tests program] [GoogleTest filter]
#
# Boots Debian's kernel (taken out of its package, not installed) from a CD image whose only process runs the tests, and
# fails when a test does, or when the machine does not say within LOWP_EMULATOR_SECONDS (1500) how they ended. On a CPU
# with AVX-512 VNNI there is nothing to do: `npm test` runs these rows. Everything is made in a temporary folder.
# Debian packages: bochs bochs-term bochsbios vgabios isolinux syslinux-common genisoimage cpio.
set -euo pipefail
cd "$(dirname "$0")/.."
tests=${1:-build/tests/lowp_tests}
# Every room of kernels with rows for AVX-512, by tests that compare each row with the scalar one or the definition. Left
# out are those that take minutes here: sweeps of all sizes or all floats, and mutated params.
rows='*EveryRowGives*:*Tail*:*Rows*:Convert.*:Eltwise.*:ExactFma.*:Lut.*:QuantizedAdd.*:Softmax.*'
rows+=':Convolution.EveryNumber*:Convolution.Padded*:Convolution.Stride*:Convolution.Groups*:Convolution.Corners*'
rows+=':Convolution.Chooses*:Matmul.SmallSizes*:Matmul.Post*:Depthwise.IsExactForOther*:Depthwise.Saturates*'
rows+=':Depthwise.Sums*:Depthwise.Takes*:Pool.IsExactForManyChannels:Pool.Saturates*:Pool.PassesOver*:Dispatch.*'
rows+=':Reduce.*:Resize.*:LayerNorm.*:BatchedMatmul.Extremes*:BatchedMatmul.Strides*:BatchedMatmul.Residuals*'
rows+=':MatmulS16.*'
filter=${2:-$rows}
seconds=${LOWP_EMULATOR_SECONDS:-1500}

if grep -qw avx512_vnni /proc/cpuinfo && [ -z "${LOWP_EMULATOR_ALWAYS:-}" ]; then
  echo 'This CPU has AVX-512 VNNI: the tests have run these rows, nothing to emulate.'
  exit 0
fi

isolinux=/usr/lib/ISOLINUX/isolinux.bin
loader=/usr/lib/syslinux/modules/bios/ldlinux.c32
for need in "$tests" $isolinux $loader /usr/share/bochs/BIOS-bochs-latest /usr/share/vgabios/vgabios.bin; do
  [ -e "$need" ] || { echo "$need is missing: build the tests, install the packages named in $0" >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{kernel,cd} "$work"/initrd/{run,dev,proc,sys,tmp}

# The kernel of the cloud images: small, with all that is needed here built in.
package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[^ ]*\).*/\1/p')
[ -n "$package" ] || { echo 'apt-cache knows no linux-image-cloud-amd64: run apt-get update' >&2; exit 1; }
(cd "$work/kernel" && apt-get download -qq "$package" 2>/dev/null && dpkg-deb --fsys-tarfile ./*.deb |
  tar -x --wildcards './boot/vmlinuz-*')
mv "$work"/kernel/boot/vmlinuz-* "$work/cd/vmlinuz"

# The root file system: the first process, the tests and the libraries they load.
gcc -O2 -static -s -o "$work/initrd/init" scripts/emulator/init.c
cp "$tests" "$work/initrd/run/program"
strip --strip-debug "$work/initrd/run/program"
for library in $(ldd "$tests" | grep -o '/[^ ]*'); do
  mkdir -p "$work/initrd$(dirname "$library")"
  cp -L "$library" "$work/initrd$library"
done
printf '%s\0' lowp_tests --gtest_brief=1 "--gtest_filter=Isa.IsTheOneThatWasAskedFor:$filter" >"$work/initrd/run/argv"
printf '%s\0' LOWP_EXPECT_ISA=vnni >"$work/initrd/run/env"
(cd "$work/initrd" && find . | cpio --quiet -o -H newc) >"$work/cd/initrd"

# clearcpuid: features of this CPU model that Bochs 2.7 announces but half has. FSRM comes without ERMS, which breaks the
# kernel's memmove; the sizes of the PKU and compacted XSAVE areas are wrong, which makes the kernel turn AVX off.
# The rest saves instructions.
cp $isolinux $loader "$work/cd"
cat >"$work/cd/isolinux.cfg" <<END
DEFAULT tests
LABEL tests
KERNEL vmlinuz
INITRD initrd
APPEND console=ttyS0,115200 quiet panic=-1 clearcpuid=fsrm,pku,xsaves,xsavec,aperfmperf nokaslr mitigations=off tsc=reliable lpj=1000000 lsm= init_on_alloc=0 cryptomgr.notests initcall_blacklist=load_system_certificate_list
END
genisoimage -quiet -o "$work/cd.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table "$work/cd"

cat >"$work/bochsrc" <<END
cpu: model=corei7_icelake_u, count=1, ips=200000000, reset_on_triple_fault=0
memory: guest=512, host=512
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0-master: type=cdrom, path=$work/cd.iso, status=inserted
boot: cdrom
clock: sync=none
display_library: rfb, options="timeout=0"
port_e9_hack: enabled=1
com1: enabled=1, mode=file, dev=$work/serial
log: $work/log
panic: action=fatal
error: action=ignore
info: action=ignore
END
# "c" starts the machine where Bochs was built with its debugger. Port 0xE9 is its standard output. How Bochs itself ends
# says nothing: the machine turning itself off is a panic to it.
{ timeout "$seconds" bochs -q -f "$work/bochsrc" <<<c | tee "$work/output" | sed -u -n '/^@@start/,/^@@exit/{/^@@/!p}'; } \
  2>"$work/errors" || true

code=$(sed -n 's/^@@exit //p' "$work/output")
if [ -z "$code" ]; then
  echo "The emulated machine did not report within $seconds s. Its last words:" >&2
  tail -n 20 "$work"/{serial,log,errors} >&2 || true
  exit 1
fi
grep -q '^\[  PASSED  \] [1-9]' "$work/output" || { echo 'No test passed.' >&2; exit 1; }
exit "$code"
