function Remove-ConferenceUser {
    param([string]$Id, [switch]$Permanently)

    $Endpoint = if ($Permanently) {
        'https://api.zoom.us/v1/user/permanentdelete'
    } else {
        'https://api.zoom.us/v1/user/delete'
    }
    Invoke-RestMethod -Uri $Endpoint -Body @{ id = $Id } -Method Post
}
