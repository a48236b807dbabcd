using System.Collections.Concurrent;
using System.Text;

using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DataHub.Indicators;

/// <summary>Turns components into bytes, and keeps the pages that are polled as long as nothing in them changes.</summary>
internal sealed class PageRenderer(IServiceProvider services, ILoggerFactory logs, IOptions<PageOptions> options)
{
    private readonly ConcurrentDictionary<(PageQuery Asked, string Address), Entry> _pages = new();
    private long _clock;

    /// <summary>The front page of the public, rendered anew only where something in it is new.</summary>
    /// <param name="asked">What the address says.</param>
    /// <param name="view">What the public is told.</param>
    /// <param name="address">Scheme and host that the reader uses.</param>
    public async Task<PageBody> FrontPageAsync(PageQuery asked, CityView view, string address)
    {
        // Only the examples of an empty hub name the address.
        if (view.Chosen is not null) address = "";
        if (_pages.TryGetValue((asked, address), out var entry) && entry.Fingerprint == view.Fingerprint)
        {
            entry.Used = Interlocked.Increment(ref _clock);
            return entry.Body;
        }

        var body = await RenderAsync<FrontPage>(FrontPageOf(view, address));
        _pages[(asked, address)] = new(view.Fingerprint, body) { Used = Interlocked.Increment(ref _clock) };
        while (_pages.Count > options.Value.CachedPages) _pages.TryRemove(_pages.MinBy(p => p.Value.Used));
        return body;
    }

    /// <summary>The front page of somebody in particular, rendered now and kept for nobody.</summary>
    public Task<PageBody> OwnFrontPageAsync(CityView view, string address) => RenderAsync<FrontPage>(FrontPageOf(view, address));

    private Dictionary<string, object?> FrontPageOf(CityView view, string address) => new()
    {
        [nameof(FrontPage.View)] = view,
        [nameof(FrontPage.Address)] = address,
        [nameof(FrontPage.Refresh)] = options.Value.Refresh,
        [nameof(FrontPage.Reload)] = options.Value.Reload,
    };

    /// <summary>Any page, rendered now.</summary>
    public async Task<PageBody> RenderAsync<TComponent>(Dictionary<string, object?> parameters)
        where TComponent : IComponent
    {
        await using var renderer = new HtmlRenderer(services, logs);
        var html = await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var root = await renderer.RenderComponentAsync<TComponent>(ParameterView.FromDictionary(parameters));
            using var text = new StringWriter();
            text.Write("<!DOCTYPE html>\n");
            root.WriteHtmlTo(text);
            return text.ToString();
        });
        return new(Encoding.UTF8.GetBytes(html));
    }

    private sealed class Entry(string fingerprint, PageBody body)
    {
        public string Fingerprint { get; } = fingerprint;

        public PageBody Body { get; } = body;

        public long Used { get; set; }
    }
}
