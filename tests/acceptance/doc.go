// Package acceptance runs programs that this project did not write: tutorials through the simulation, recipes and console
// sessions through a whole server and the console's own binary.
package acceptance
