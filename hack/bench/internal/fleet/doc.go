// Package fleet has the objects that clusters are measured with, and puts them there. Objects of a kind have the numbers
// 0, 1, …; what they hold depends on nothing else.
package fleet
