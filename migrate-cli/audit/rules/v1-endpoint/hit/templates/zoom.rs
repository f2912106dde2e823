const BASE: &str = "https://api.zoom.us";

fn everyone(client: &Client) -> Result<Response> {
    client.post(format!("{}/v{}/{}", BASE, 1, "user/list")).send()
}
