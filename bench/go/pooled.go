// smtppool, which composes the mail too: PORT CONNECTIONS FILE. Nothing is durable.
package main

import (
	"bytes"
	"net/mail"
	"time"

	"github.com/knadh/smtppool"
)

func deliverer(port, connections int) func(<-chan job) {
	pool, err := smtppool.New(smtppool.Opt{
		Host:            "127.0.0.1",
		Port:            port,
		MaxConns:        connections,
		IdleTimeout:     time.Minute,
		PoolWaitTimeout: time.Minute,
	})
	must(err)
	return func(jobs <-chan job) {
		var title, plain, shown bytes.Buffer
		for job := range jobs {
			order := job.order()
			title.Reset()
			plain.Reset()
			shown.Reset()
			must(subject.Execute(&title, order))
			must(text.Execute(&plain, order))
			must(html.Execute(&shown, order))
			to := mail.Address{Name: order["name"].(string), Address: order["email"].(string)}
			must(pool.Send(smtppool.Email{
				From:    "Example <post@example.com>",
				To:      []string{to.String()},
				Subject: title.String(),
				Text:    plain.Bytes(),
				HTML:    shown.Bytes(),
			}))
		}
	}
}
