// lowp doctor: what this machine can do, what is used, and whether the kernels are right.

import { maxImagePixels } from '../../data/image-folder.ts';
import { kernelSelfTest } from '../../engines/self-test.ts';
import { addonPath } from '../../native/binding.ts';
import { cpuInfo } from '../../native/cpu-info.ts';
import { maxElements } from '../../tensor/shape.ts';
import { action, type CliCommand } from '../command.ts';
import { addCommonOptions, type CommonOptions } from '../options.ts';
import { table } from '../output.ts';

export const doctorCommand: CliCommand = {
  register(program) {
    const command = program
      .command('doctor')
      .description('show CPU features, the instruction set in use and why, limits, and test the kernels');
    addCommonOptions(command).action(
      action<CommonOptions>(async (_, options, { out }) => {
        const info = cpuInfo();
        const wanted = process.env.LOWP_MAX_ISA;
        const reason =
          wanted && info.isa !== info.detectedIsa
            ? `LOWP_MAX_ISA=${wanted} limits ${info.detectedIsa}`
            : 'the best this CPU and its operating system offer';
        const addon = addonPath();
        const sharp = await import('sharp').then(
          (m) => m.default.versions.sharp ?? 'present',
          () => undefined,
        );
        const test = await kernelSelfTest(options.threads);
        const limits = { tensorElements: maxElements, imagePixels: maxImagePixels };
        out.line(
          table(
            ['', ''],
            [
              ['node', process.version],
              ['cpu', info.brand],
              ['instruction set', `${info.isa} (${reason})`],
              ['cores', `${info.cores}`],
              ['caches', `L1 ${info.l1Bytes >> 10} KiB, L2 ${info.l2Bytes >> 10} KiB`],
              ['addon', addon],
              ['images (sharp)', sharp ?? 'not installed: npm install sharp'],
              ['limits', `${limits.tensorElements} elements a tensor, ${limits.imagePixels} pixels an image`],
              ...test.levels.map((l) => [
                `kernels ${l.isa}`,
                l.ok ? 'same bits as scalar' : `DIFFER from scalar: ${l.detail}`,
              ]),
            ],
          ),
        );
        out.json({
          node: process.version,
          cpu: info,
          isaReason: reason,
          addon,
          sharp: sharp ?? null,
          limits,
          selfTest: test,
        });
        if (!test.ok) process.exitCode = 1;
      }),
    );
  },
};
