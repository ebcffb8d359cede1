// lowp hwbench: the most that one core of this machine can do, which layers are compared with, and what threads cost.

import type { LeastAndMedian } from '../../native/addon.ts';
import { cpuInfo, measurePeaks } from '../../native/cpu-info.ts';
import { action, type CliCommand } from '../command.ts';
import { addCommonOptions, type CommonOptions } from '../options.ts';
import { table } from '../output.ts';

export const hwbenchCommand: CliCommand = {
  register(program) {
    const command = program
      .command('hwbench')
      .description(
        'measure what one core can do at most - arithmetic by instruction, reading by cache - and what threads cost',
      );
    addCommonOptions(command).action(
      action<CommonOptions>(async (_, options, { out }) => {
        const cpu = cpuInfo();
        const { arithmetic, reading, forkJoin } = measurePeaks(options.maxIsa ?? cpu.isa);
        out.line(`${cpu.brand}, ${cpu.isa}, one core\n`);
        out.line(
          table(
            ['instructions', 'type', 'level', 'GOPS'],
            arithmetic.map((p) => [p.name, p.type, p.isa, p.gops.toFixed(1)]),
          ),
        );
        out.line('');
        out.line(
          table(
            ['reading', 'KiB', 'GB/s'],
            reading.map((p) => [p.level, `${Math.round(p.bytes / 1024)}`, p.gbps.toFixed(1)]),
          ),
        );
        if (forkJoin.length > 0) {
          const us = ({ leastUs, medianUs }: LeastAndMedian): string[] => [leastUs.toFixed(1), medianUs.toFixed(1)];
          const rows = forkJoin.map((f) => [`${f.threads}`, ...us(f.spinning), ...us(f.parked)]);
          out.line('');
          out.line(table(['fork and join, threads', 'spinning µs', 'median', 'parked µs', 'median'], rows));
        }
        out.json({ cpu, arithmetic, reading, forkJoin });
      }),
    );
  },
};
