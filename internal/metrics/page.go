package serve

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// page is text in the format of Prometheus, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
type page struct{ text []byte }

func (p *page) family(name, kind, help string) {
	p.text = append(p.text, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
}

// sample writes a value with labels, given as names and values in turn.
func (p *page) sample(name string, value float64, labels ...string) {
	p.text = append(p.text, name...)
	for i := 0; i+1 < len(labels); i += 2 {
		before := ","
		if i == 0 {
			before = "{"
		}
		p.text = append(p.text, before+labels[i]+`="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(labels[i+1])+`"`...)
	}
	if len(labels) > 0 {
		p.text = append(p.text, '}')
	}
	p.text = append(p.text, ' ')
	p.text = strconv.AppendFloat(p.text, value, 'f', -1, 64)
	p.text = append(p.text, '\n')
}

func itoa(n int) string { return strconv.Itoa(n) }

// processMetrics writes the standard metrics of a process in which leaks show.
func processMetrics(p *page) {
	p.family("go_goroutines", "gauge", "Number of goroutines that currently exist.")
	p.sample("go_goroutines", float64(runtime.NumGoroutine()))
	if files, err := os.ReadDir("/proc/self/fd"); err == nil { // Linux
		p.family("process_open_fds", "gauge", "Number of open file descriptors.")
		p.sample("process_open_fds", float64(len(files)-1)) // without the descriptor of this ReadDir
	}
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(statm)); len(fields) > 1 {
			if pages, err := strconv.Atoi(fields[1]); err == nil {
				p.family("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.")
				p.sample("process_resident_memory_bytes", float64(pages)*float64(os.Getpagesize()))
			}
		}
	}
}
