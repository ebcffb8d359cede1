# The addon for node-gyp and prebuildify. CMakeLists.txt builds the same from the same list of sources.
{
  'variables': {
    'include_dirs': ['native/src', 'native/generated', 'native/include'],
    'common_flags': ['-std=c++20', '-O2', '-ffp-contract=off', '-fno-math-errno', '-fno-exceptions', '-fno-rtti',
                     '-fvisibility=hidden', '-fvisibility-inlines-hidden', '-Wall', '-Wextra',
                     '-Wno-missing-field-initializers'],
    'avx2_flags': ['-mavx2', '-mfma', '-mf16c'],
    'avx512_flags': ['-mavx512f', '-mavx512bw', '-mavx512vl', '-mavx512dq', '-mfma', '-mf16c',
                     '-mprefer-vector-width=512', '-Wno-maybe-uninitialized', '-Wno-uninitialized'],
  },
  'target_defaults': {
    'include_dirs': ['<@(include_dirs)'],
    'cflags!': ['-O3', '-fno-omit-frame-pointer'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fno-rtti', '-fno-exceptions'],
    'cflags': ['-fPIC'],
    'cflags_cc': ['<@(common_flags)'],
    'xcode_settings': {
      'OTHER_CPLUSPLUSFLAGS': ['<@(common_flags)'],
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
      'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
    },
  },
  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {
          'target_name': 'lowp_avx2',
          'type': 'static_library',
          'sources': ['<!@(node scripts/native-sources.cjs avx2)'],
          'cflags_cc': ['<@(avx2_flags)'],
          'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(avx2_flags)']},
        },
        {
          'target_name': 'lowp_avxvnni',
          'type': 'static_library',
          'sources': ['<!@(node scripts/native-sources.cjs avxvnni)'],
          'cflags_cc': ['<@(avx2_flags)', '-mavxvnni'],
          'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(avx2_flags)', '-mavxvnni']},
        },
        {
          'target_name': 'lowp_avx512',
          'type': 'static_library',
          'sources': ['<!@(node scripts/native-sources.cjs avx512)'],
          'cflags_cc': ['<@(avx512_flags)'],
          'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(avx512_flags)']},
        },
        {
          'target_name': 'lowp_vnni',
          'type': 'static_library',
          'sources': ['<!@(node scripts/native-sources.cjs vnni)'],
          'cflags_cc': ['<@(avx512_flags)', '-mavx512vnni'],
          'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(avx512_flags)', '-mavx512vnni']},
        },
        {
          'target_name': 'lowp_amx',
          'type': 'static_library',
          'sources': ['<!@(node scripts/native-sources.cjs amx)'],
          'cflags_cc': ['<@(avx512_flags)', '-mavx512vnni', '-mamx-tile', '-mamx-int8'],
          'xcode_settings': {
            'OTHER_CPLUSPLUSFLAGS': ['<@(avx512_flags)', '-mavx512vnni', '-mamx-tile', '-mamx-int8'],
          },
        },
      ],
    }],
  ],
  'targets': [
    {
      'target_name': 'lowp',
      'sources': ['<!@(node scripts/native-sources.cjs base kernels core addon)'],
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS', 'NODE_ADDON_API_DISABLE_DEPRECATED',
                  'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'conditions': [
        ['target_arch=="x64"', {'dependencies': ['lowp_avx2', 'lowp_avxvnni', 'lowp_avx512', 'lowp_vnni', 'lowp_amx']}, {
          # Guarded by __x86_64__ inside; compiled so that every symbol exists.
          'sources': ['<!@(node scripts/native-sources.cjs avx2 avxvnni avx512 vnni amx)'],
        }],
        ['OS=="linux"', {'ldflags': ['-Wl,--gc-sections', '-static-libstdc++', '-static-libgcc']}],
      ],
    },
  ],
}
