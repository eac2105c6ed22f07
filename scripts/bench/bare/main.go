// Command bare is the floor for "kedge version": the least program that prints a line.
package main

import "os"

func main() {
	os.Stdout.WriteString("bare 0\n")
}
