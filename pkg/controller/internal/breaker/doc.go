// Package breaker decides when a controller should leave a server alone that refuses to serve.
//
//	         so many refusals              its time is over
//	Closed ───────────────────▶ Open ──────────────────────▶ HalfOpen
//	   ▲                          ▲                              │
//	   │                          └─── the trial is refused, ────┤
//	   │                               or does not take place    │
//	   └────────────────────────────── or is answered ───────────┘
//
// While it is HalfOpen there is one trial, and another whenever the last takes long.
//
// It is the circuit breaker of Nygard, "Release It!", with a wait that doubles.
package breaker
