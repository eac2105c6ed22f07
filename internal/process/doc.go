// Package process runs another program in place of this one.
//
// Replace executes the program in this process, if the system can. Run stays as the parent and is
// transparent: each signal that is sent to this process reaches the program once, and this process
// can end as the program did. The program gets the standard streams and every other descriptor that
// this process was started with, but none that Go opened, and the original signal dispositions: a
// signal that only this process ignores is not ignored in the program.
//
// Run leaves the program in this process's group, as a shell without job control does. So the
// terminal treats both as one job: Ctrl-C and Ctrl-Z reach the program directly, and a pipe to a
// pager works.
package process
