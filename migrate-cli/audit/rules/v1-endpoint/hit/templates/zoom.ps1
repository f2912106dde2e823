$base = 'https://api.zoom.us'
$url = '{0}/v{1}/{2}' -f $base, 1, 'user/list'
Invoke-RestMethod -Method Post -Uri $url
