// Command measure runs programs on this machine and prints their cost as rows of
// Markdown tables: pair compares the medians of one with those of its floor, alone compares
// them with a limit, sum compares one with two that run after each other, and rates compares
// the rates that two programs print. Two programs run in turn. crowd compares many processes
// that start at once with one.
//
// Limits are printed as they are given; - is none. In arguments {} is replaced by a number that
// is unique to the run.
//
// usage: measure pair  RUNS   WALL PEAK NAME PROGRAM ARGS... -- FLOOR ARGS...
//
//	measure sum   RUNS   LIMIT     NAME PROGRAM ARGS... -- FIRST ARGS... -- SECOND ARGS...
//	measure alone RUNS   WALL      NAME PROGRAM ARGS...
//	measure rates ROUNDS LIMIT     NAME PROGRAM ARGS... -- FLOOR ARGS...
//	measure shots RUNS   LIMIT     NAME PROGRAM ARGS... -- OTHER ARGS...
//	measure crowd ROUNDS LIMIT PROCESSES NAME PROGRAM ARGS...
package main

import (
	"errors"
	"os"
	"slices"
	"strconv"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		os.Stderr.WriteString("measure: " + err.Error() + "\n")
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 5 {
		return errors.New("give pair, sum, alone, rates, shots or crowd with their arguments")
	}
	runs, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	switch mode, args := args[0], args[2:]; mode {
	case "pair":
		return pair(runs, args)
	case "sum":
		return sum(runs, args)
	case "alone":
		return alone(runs, args)
	case "rates":
		return rates(runs, args)
	case "shots":
		return shots(runs, args)
	case "crowd":
		return crowd(runs, args)
	default:
		return errors.New("no such mode: " + mode)
	}
}

// pair prints wall time and peak memory of a program and of its floor.
func pair(runs int, args []string) error {
	commands, err := split(args, 3)
	if err != nil {
		return err
	}
	m, err := alternate(runs, commands)
	if err != nil {
		return err
	}
	row := func(what, limit, unit string, program, floor float64) {
		printRow(args[2]+", "+what, number(program)+" "+unit, number(floor)+" "+unit, number(program/floor), limit)
	}
	row("wall", args[0], "ms", m[0].milliseconds(), m[1].milliseconds())
	row("peak memory", args[1], "MiB", m[0].mebibytes(), m[1].mebibytes())
	return nil
}

// sum prints the wall time of a program, and of two others together.
func sum(runs int, args []string) error {
	commands, err := split(args, 2)
	if err != nil {
		return err
	}
	others, err := split(commands[1], 0)
	if err != nil {
		return err
	}
	m, err := alternate(runs, append(commands[:1], others...))
	if err != nil {
		return err
	}
	first, second := m[1].milliseconds(), m[2].milliseconds()
	printRow(args[1]+", wall", number(m[0].milliseconds())+" ms", number(first)+" + "+number(second)+" ms",
		number(m[0].milliseconds()/(first+second)), args[0])
	return nil
}

// alone prints wall time and peak memory of a program.
func alone(runs int, args []string) error {
	m, err := alternate(runs, [][]string{args[2:]})
	if err != nil {
		return err
	}
	printRow(args[1], number(m[0].milliseconds())+" ms, "+number(m[0].mebibytes())+" MiB", "", "", args[0])
	return nil
}

// shots prints how often in a second two programs can be run, one process after the other.
func shots(runs int, args []string) error {
	commands, err := split(args, 2)
	if err != nil {
		return err
	}
	m, err := alternate(runs, commands)
	if err != nil {
		return err
	}
	program, other := 1e3/m[0].milliseconds(), 1e3/m[1].milliseconds()
	printRow(args[1], number(program)+" / s", number(other)+" / s", number(program/other), args[0])
	return nil
}

// rates prints the numbers that two programs print: how many they made in a second. The ratio is
// the median of the ratios of the rounds, in each of which both ran.
func rates(rounds int, args []string) error {
	commands, err := split(args, 2)
	if err != nil {
		return err
	}
	var values [2][]float64
	var ratios []float64
	for round := range rounds {
		for i, command := range commands {
			value, err := said(command)
			if err != nil {
				return err
			}
			values[i] = append(values[i], value)
		}
		ratios = append(ratios, values[0][round]/values[1][round])
	}
	printRow(args[1], number(median(values[0]))+" / s", number(median(values[1]))+" / s", number(median(ratios)), args[0])
	return nil
}

// split returns the commands before and after "--", without the first n arguments.
func split(args []string, n int) ([][]string, error) {
	at := slices.Index(args, "--")
	if at <= n || at == len(args)-1 {
		return nil, errors.New("two programs are needed, with -- between them")
	}
	return [][]string{args[n:at], args[at+1:]}, nil
}

func printRow(cells ...string) {
	line := "|"
	for _, cell := range cells {
		line += " " + cell + " |"
	}
	os.Stdout.WriteString(line + "\n")
}

func median[T int64 | float64](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }
