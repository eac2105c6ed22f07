package serve

import (
	"net/http"
	"sync/atomic"
)

// counts counts the answers of each endpoint by status.
type counts struct {
	of [endpoints][9]atomic.Uint64
}

// countedStatuses are the statuses that are counted; the last stands for all others.
func countedStatuses() [9]int {
	return [...]int{
		http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable, 0,
	}
}

func (c *counts) add(at endpoint, status int) {
	statuses := countedStatuses()
	for i, s := range statuses {
		if s == status || i == len(statuses)-1 {
			c.of[at][i].Add(1)
			return
		}
	}
}
