// The colours of reports. Steps and series can be told apart by lightness too: papers are printed in grey.

export const INK = {
  light:
    '--ink:#1c2024;--soft:#60646c;--line:#e3e5e8;--paper:#fdfdfc;--accent:#2563c9;--second:#d3711f;--quiet:#9aa1ab;--good:#18794e;' +
    '--bad:#c62a2f;--step-0:#2563c9;--step-1:#12908e;--step-2:#8f6ad0;--step-3:#d3871f;--step-4:#4a9d5b;--step-5:#c2528b;--step-6:#7a8494;' +
    '--step-7:#b3601f;--step-8:#3f8fd8;',
  dark: '--ink:#eceef0;--soft:#a0a6ae;--line:#2d3136;--paper:#141618;--accent:#6ea8ff;--second:#f0a35e;--quiet:#6d7580;--good:#5bc58c;--bad:#ff8589;',
} as const;
