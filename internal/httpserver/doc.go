// Package httpserver has what the HTTP servers of both programs have in common: limits on
// connections, sizes and times, so that no client can exhaust the process, and a run that ends by
// finishing the requests in progress.
package httpserver
