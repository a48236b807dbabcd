using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

using DataHub.Catalog;
using DataHub.Hosting;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

using Orleans.TestingHost;

namespace DataHub.Support;

/// <summary>
/// A whole hub in this process, as the program composes it: its own folder, a free port, everything through HTTP. As a
/// class fixture it is shared by the class's tests, which must not share ids; or start one by
/// <see cref="StartAsync"/>.
/// </summary>
public sealed class HubFixture : IAsyncLifetime, IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<HttpClient> _clients = [];
    private Dictionary<string, string?> _settings = [];
    private Action<IServiceCollection>? _services;
    private WebApplication? _hub;
    private int _port;

    /// <summary>Where it answers, with a slash at the end.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Without a key.</summary>
    public HttpClient Anonymous { get; private set; } = null!;

    /// <summary>With the platform's first admin key.</summary>
    public HttpClient Admin { get; private set; } = null!;

    /// <summary>The platform's first admin key.</summary>
    public string AdminKey { get; private set; } = null!;

    /// <summary>Folder of the hub's files.</summary>
    public string Folder => _folder.FullName;

    /// <summary>The hub's clock, where it was started with one that stands still; else null.</summary>
    public FakeTimeProvider? Clock { get; private set; }

    /// <summary>For tests that look behind the public routes.</summary>
    public IServiceProvider Services => _hub!.Services;

    public IGrainFactory Grains => Services.GetRequiredService<IGrainFactory>();

    /// <summary>A hub of a test's own.</summary>
    /// <param name="settings">Such as <c>DataHub:Log:Shards</c>.</param>
    /// <param name="clock">A clock that the test turns; the silo's own machinery stays on real time.</param>
    /// <param name="services">Replaces or adds services, such as filters of grain calls.</param>
    public static async Task<HubFixture> StartAsync(
        IReadOnlyDictionary<string, string?>? settings = null, FakeTimeProvider? clock = null, Action<IServiceCollection>? services = null)
    {
        var hub = new HubFixture { Clock = clock, _settings = settings?.ToDictionary() ?? [], _services = services };
        await hub.OpenAsync();
        return hub;
    }

    Task IAsyncLifetime.InitializeAsync() => OpenAsync();

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    /// <summary>Stops the hub in order and starts it on the same folder and port.</summary>
    /// <param name="settings">Other settings; null keeps those that stand.</param>
    public async Task RestartAsync(IReadOnlyDictionary<string, string?>? settings = null)
    {
        if (settings is not null) _settings = settings.ToDictionary();
        await CloseAsync();
        await OpenAsync();
    }

    /// <summary>A client that sends a key, or none.</summary>
    public HttpClient With(string? key)
    {
        var client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(60) };
        if (key is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        _clients.Add(client);
        return client;
    }

    /// <summary>Makes an agency with a key of the role, and a client that sends it.</summary>
    public async Task<HttpClient> AgencyAsync(string agency, KeyRole role = KeyRole.Push) => With(await KeyAsync(agency, role));

    /// <summary>Makes an agency (or finds it) and a new key of the role.</summary>
    public async Task<string> KeyAsync(string agency, KeyRole role)
    {
        await OkAsync(Admin.PutAsJsonAsync($"api/v1/agencies/{agency}", new { name = new { de = agency } }));
        var made = await OkAsync(Admin.PostAsJsonAsync($"api/v1/agencies/{agency}/keys", new { role = role.ToString().ToLowerInvariant() }));
        return made.RootElement.GetProperty("key").GetString()!;
    }

    /// <summary>The JSON of an answer that must be a success; else the test fails with what came.</summary>
    public static async Task<JsonDocument> OkAsync(Task<HttpResponseMessage> answer)
    {
        using var response = await answer;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri} → {(int)response.StatusCode} {text}");
        return JsonDocument.Parse(text.Length == 0 ? "null" : text);
    }

    /// <summary>The JSON of an answer that must have this status (and, where given, be this problem).</summary>
    public static async Task<JsonDocument> RefusedAsync(Task<HttpResponseMessage> answer, int status, string? problem = null)
    {
        using var response = await answer;
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri} → {(int)response.StatusCode} {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var document = JsonDocument.Parse(text);
        if (problem is not null) Assert.Equal("/problems/" + problem, document.RootElement.GetProperty("type").GetString());
        Assert.Equal(status, document.RootElement.GetProperty("status").GetInt32());
        return document;
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _folder.Dispose();
    }

    private async Task OpenAsync()
    {
        _hub = Hub.Build(new HubStart
        {
            Urls = $"http://127.0.0.1:{_port}",
            Data = _folder.FullName,
            Settings = _settings,
            Time = (TimeProvider?)Clock ?? TimeProvider.System,
            Services = services =>
            {
                if (Clock is not null) services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
                _services?.Invoke(services);
            },
        });
        await _hub.StartAsync();
        Address = new Uri(_hub.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/");
        _port = Address.Port;
        AdminKey = (await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "admin.key"))).Trim();
        Anonymous = With(null);
        Admin = With(AdminKey);
    }

    private async Task CloseAsync()
    {
        foreach (var client in _clients) client.Dispose();
        _clients.Clear();
        if (_hub is null) return;
        await _hub.StopAsync();
        await _hub.DisposeAsync();
        _hub = null;
    }
}
