// lowp doctor: what this machine can do, what is used, and whether the kernels are right.

import { imageDecoder } from '../../data/decode-image.ts';
import { kernelSelfTest } from '../../engines/self-test.ts';
import { limits } from '../../errors/limits.ts';
import type { CpuInfo } from '../../native/addon.ts';
import { addonPath } from '../../native/binding.ts';
import { cpuInfo } from '../../native/cpu-info.ts';
import { action, type CliCommand } from '../command.ts';
import { addCommonOptions, type CommonOptions } from '../options.ts';

export const doctorCommand: CliCommand = {
  register(program) {
    const command = program
      .command('doctor')
      .description('show CPU features, the instruction set in use and why, limits, and test the kernels');
    addCommonOptions(command).action(
      action<CommonOptions>(async (_, options, { out }) => {
        const info = cpuInfo();
        const addon = addonPath();
        const isaReason = whyThisIsa(info);
        const images = await imageDecoder();
        const selfTest = await kernelSelfTest(options.threads);
        const rows = [
          ['node', process.version],
          ['cpu', info.brand],
          ['instruction set', `${info.isa} (${isaReason})`],
          ['cores', `${info.cores}`],
          ['caches', `L1 ${info.l1Bytes >> 10} KiB, L2 ${info.l2Bytes >> 10} KiB`],
          ['addon', addon],
          ['images', images.version === undefined ? images.problem : `sharp ${images.version}`],
          ...Object.values(limits).map(({ value, unit, meaning }) => ['limit', `${value} ${unit}. ${meaning}`]),
          ...selfTest.levels.map((l) => [`kernels ${l.isa}`, l.ok ? 'same bits as scalar' : `WRONG: ${l.detail}`]),
        ];
        const width = Math.max(...rows.map(([name]) => name!.length));
        for (const [name, value] of rows) out.line(`${name!.padEnd(width)}  ${value}`);
        const sharp = images.version ?? null;
        const bounds = Object.fromEntries(Object.entries(limits).map(([name, { value }]) => [name, value]));
        out.json({ node: process.version, cpu: info, isaReason, addon, sharp, limits: bounds, selfTest });
        if (!selfTest.ok) process.exitCode = 1;
      }),
    );
  },
};

function whyThisIsa(info: CpuInfo): string {
  if (info.isa === info.detectedIsa) return 'the best this CPU and its operating system offer';
  return `LOWP_MAX_ISA=${process.env.LOWP_MAX_ISA} limits ${info.detectedIsa}`;
}
