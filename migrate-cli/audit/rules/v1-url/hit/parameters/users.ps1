function Update-User($Id) {
    $Form = @{ id = $Id }
    $Form.Add('dept', 'Sales')
    Invoke-RestMethod -Method Post -Uri 'https://api.zoom.us/v1/user/update' -Body $Form
}
