<?php
$client = new GuzzleHttp\Client(['base_uri' => 'https://api.zoom.us']);
$client->post('/v1/user/pending', ['form_params' => $form]);
