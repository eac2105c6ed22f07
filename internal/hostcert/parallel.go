package hostcert

import (
	"context"
	"sync"
)

// inParallel calls work for 0 to n-1 concurrently, until it returns false or the context ends.
// Calls in progress are finished.
func inParallel(ctx context.Context, n, workers int, work func(int) bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan int)
	var group sync.WaitGroup
	for range min(workers, n) {
		group.Go(func() {
			for i := range queue {
				if !work(i) {
					cancel()
				}
			}
		})
	}
	for i := range n {
		select {
		case queue <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	group.Wait()
}
