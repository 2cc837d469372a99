// Package scale decides how many workers a controller has: more by a quarter while keys wait for one, half as many when the
// server refuses, fewer by a quarter when half of them were idle for a while. That is additive increase with multiplicative
// decrease, as TCP does it (Chiu and Jain, 1989), in steps that follow the size.
package scale
