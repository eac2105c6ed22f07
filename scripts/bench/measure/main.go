// Command measure runs two programs in turn, as an SDK runs a credential process, and
// prints their medians and the ratio of them as one row of a Markdown table.
//
// A run's wall time goes from before the fork to the end of the process, with its standard
// output read through a pipe; its peak memory is what the kernel accounts at its end. That
// account starts with the memory of the parent, so this program is kept small.
//
// usage: measure RUNS WALL PEAK NAME PROGRAM ARGS... -- FLOOR ARGS...
//
// WALL and PEAK are the ratios that are aimed at, as they are printed; - for none.
package main

import (
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		os.Stderr.WriteString("measure: " + err.Error() + "\n")
		os.Exit(1)
	}
}

func run(args []string) error {
	split := slices.Index(args, "--")
	if split < 5 || split == len(args)-1 {
		return errors.New("give RUNS WALL PEAK NAME PROGRAM ARGS -- FLOOR ARGS")
	}
	runs, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	commands := [2][]string{args[4:split], args[split+1:]}
	var wall, peak [2][]int64
	for i := range runs + 3 {
		for c, command := range commands {
			w, p, err := once(command)
			if err != nil {
				return err
			}
			if i >= 3 { // the first ones fill the page cache
				wall[c], peak[c] = append(wall[c], w), append(peak[c], p)
			}
		}
	}
	row(args[3]+", wall", args[1], "ms", 1e6, wall)
	row(args[3]+", peak memory", args[2], "MiB", 1024, peak)
	return nil
}

// once returns nanoseconds and KiB of one run.
func once(command []string) (wall, peak int64, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	start := time.Now()
	process, err := os.StartProcess(command[0], command, &os.ProcAttr{Files: []*os.File{nil, w, os.Stderr}})
	w.Close()
	if err != nil {
		return 0, 0, err
	}
	n, copyErr := io.Copy(io.Discard, r)
	state, err := process.Wait()
	wall = time.Since(start).Nanoseconds()
	if err = errors.Join(err, copyErr); err != nil {
		return 0, 0, err
	}
	if !state.Success() || n == 0 {
		return 0, 0, errors.New(command[0] + ": " + state.String() + ", " + strconv.FormatInt(n, 10) + " bytes of output")
	}
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, errors.New("this system does not account memory")
	}
	return wall, usage.Maxrss, nil
}

func row(name, limit, unit string, scale float64, values [2][]int64) {
	kedge, floor := median(values[0])/scale, median(values[1])/scale
	os.Stdout.WriteString("| " + name + " | " + number(kedge) + " " + unit + " | " + number(floor) + " " + unit +
		" | " + number(kedge/floor) + " | " + limit + " |\n")
}

func median(values []int64) float64 {
	slices.Sort(values)
	return float64(values[len(values)/2])
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }
