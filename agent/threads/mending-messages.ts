import type { CheckResult } from '../buffer/check-file.js';
import type { DamageReport } from '../buffer/damage-book.js';
import type { RestoreBatch, Restored } from '../buffer/restoring.js';
import type { SalvageRequest } from '../buffer/salvage/salvage.js';

/** One task for each process: it answers, and ends. */
export type ToMending =
  | { readonly kind: 'check'; readonly path: string }
  | { readonly kind: 'salvage'; readonly request: SalvageRequest }
  | { readonly kind: 'stored'; readonly restored: Restored };

export type FromMending =
  | { readonly kind: 'checked'; readonly result: CheckResult }
  | { readonly kind: 'rows'; readonly batch: RestoreBatch }
  | { readonly kind: 'salvaged'; readonly report: DamageReport }
  | { readonly kind: 'failed'; readonly message: string };
