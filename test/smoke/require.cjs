// The packed package can be required from CommonJS.
const assert = require('node:assert/strict');
const { cpuInfo, LowpError } = require('lowp');

assert.ok(['scalar', 'avx2', 'avxvnni', 'avx512', 'vnni', 'amx'].includes(cpuInfo().isa));
assert.equal(new LowpError('ERR_DATA_EMPTY', 'x').exitCode, 5);
