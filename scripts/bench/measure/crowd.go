package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// crowd prints how long the slowest of many processes takes that start at once, and how long one
// takes alone. All must print the same. The ratio is the median of the ratios of the rounds.
func crowd(rounds int, args []string) error {
	if len(args) < 4 {
		return errors.New("crowd: give a limit, a number of processes, a name and a command")
	}
	size, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	var alone, slowest, ratios []float64
	for round := range rounds {
		one, err := slowestOf(1, numbered(args[3:], 2*round))
		if err != nil {
			return err
		}
		all, err := slowestOf(size, numbered(args[3:], 2*round+1))
		if err != nil {
			return err
		}
		alone, slowest, ratios = append(alone, one), append(slowest, all), append(ratios, all/one)
	}
	printRow(args[2], number(median(slowest))+" ms", number(median(alone))+" ms", number(median(ratios)), args[0])
	return nil
}

// slowestOf returns milliseconds.
func slowestOf(size int, command []string) (float64, error) {
	printed, walls, errs := make([]string, size), make([]float64, size), make([]error, size)
	var group sync.WaitGroup
	for i := range size {
		group.Go(func() {
			var out strings.Builder
			r, err := output(command, &out)
			printed[i], walls[i], errs[i] = out.String(), float64(r.wall.Nanoseconds())/1e6, err
		})
	}
	group.Wait()
	for _, text := range printed {
		if text == "" || text != printed[0] {
			return 0, errors.Join(errors.Join(errs...), errors.New(command[0]+": they did not print the same"))
		}
	}
	return slices.Max(walls), errors.Join(errs...)
}
