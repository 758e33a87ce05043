/**
 * What an orchestrator did with an update: it is through with it, it is still at it, or it took it back. One that was
 * taken back is no upgrade, however healthy the service is.
 */
export type UpdateView =
  | { readonly kind: 'settled' }
  | { readonly kind: 'working' }
  | { readonly kind: 'rolled-back'; readonly service: string; readonly why: string };
