// Package process runs another program in the place of this one.
//
// Replace has the system put the program there, where it can. Run stays as the parent and keeps
// out of sight: the program gets the signals that are sent to this process, once, and how it ends
// is how this process can end. The program gets the standard streams and whatever else this
// process was started with, but no descriptor that Go opened, and its signals as they were: what
// this process ignores for itself is not ignored there.
//
// Run leaves the program in this process's group, as a shell without job control does. So the
// terminal takes both as one job: Ctrl-C and Ctrl-Z reach the program without help, and a pipe
// to a pager works.
package process
