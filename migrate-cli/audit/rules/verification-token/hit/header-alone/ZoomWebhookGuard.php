<?php
class ZoomWebhookGuard
{
    public function isValid($request, $config)
    {
        return hash_equals($config->hookSecret, $request->header('authorization'));
    }
}
