// Package stable holds what every version of the API group stable.example.com shares: its name.
//
// The types are in the package of their version, see v1.
package stable

// GroupName is the API group of CronTab.
const GroupName = "stable.example.com"
