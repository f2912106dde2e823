<?php
class Zoom {
    private $api_url = 'https://api.zoom.us/v1/';
    private $api_key = 'hT5fQ2vX8rLm3ZpW9sKd4N';

    public function create($email) {
        return $this->sendRequest('user/custcreate', array('email' => $email,
            'type' => 1));
    }

    public function byEmail($email) {
        return $this->sendRequest('user/getbyemail', array('email' => $email, 'login_type' => 100));
    }

    private function sendRequest($operation, $data) {
        $request = curl_init($this->api_url . $operation);
        $data['api_key'] = $this->api_key;
        $data['api_secret'] = getenv('ZOOM_API_SECRET');
        curl_setopt($request, CURLOPT_POSTFIELDS, http_build_query($data));
        curl_setopt($request, CURLOPT_RETURNTRANSFER, true);
        return json_decode(curl_exec($request));
    }
}
