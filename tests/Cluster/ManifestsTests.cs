using System.Diagnostics;
using System.Globalization;

using DataHub.Feeds;
using DataHub.Hosting;
using DataHub.Storage.Postgres;
using DataHub.Support;

using k8s;
using k8s.Models;

namespace DataHub.Cluster;

/// <summary>What <c>k8s/</c> renders is read strictly and fits the programs: their ports, routes, settings and times.</summary>
public sealed class ManifestsTests
{
    private static readonly Lazy<Task<IReadOnlyList<object>>> s_rendered = new(() => RenderAsync("example"));

    /// <summary>How long the cluster takes to believe that silos are gone which were all killed at once (measured; see orleans' IAmAlive and table refresh).</summary>
    private static readonly TimeSpan s_allKilled = TimeSpan.FromSeconds(31);

    [KubectlFact]
    public async Task Silos_and_front_ends_have_the_ports_that_the_programs_listen_on()
    {
        var (silo, frontEnd) = (await ContainerAsync("datahub-silo"), await ContainerAsync("datahub-front-end"));
        var cluster = new ClusterSettings();
        Assert.Equal(cluster.SiloPort, Port(silo, "silo"));
        Assert.Equal(cluster.GatewayPort, Port(silo, "gateway"));
        Assert.Equal(["--urls", $"http://0.0.0.0:{Port(silo, "operations")}"], silo.Args);
        Assert.Equal(["--urls", $"http://0.0.0.0:{Port(frontEnd, "http")}"], frontEnd.Args);

        var silos = await OneAsync<V1Service>("datahub-silos");
        Assert.Equal("None", silos.Spec.ClusterIP);
        Assert.Equal(cluster.GatewayPort, Assert.Single(silos.Spec.Ports).Port);
        Assert.Equal($"datahub-silos:{cluster.GatewayPort}", frontEnd.Env.Single(e => e.Name == "DATAHUB__CLUSTER__GATEWAYS").Value);
    }

    [KubectlFact]
    public async Task Every_variable_is_a_setting_of_the_program_and_its_value_is_allowed()
    {
        var known = (await ContainerAsync("datahub-silo"), Hub.Settings);
        Check(known.Item1, known.Settings);
        Check(await ContainerAsync("datahub-front-end"), FrontEndHost.Settings);
        Check((await OneAsync<V1Job>("datahub-migrate")).Spec.Template.Spec.Containers.Single(), Hub.Settings);

        static void Check(V1Container container, Settings settings)
        {
            foreach (var variable in container.Env.Where(e => e.Name.StartsWith("DATAHUB__", StringComparison.Ordinal)))
            {
                var setting = settings.Sections.SelectMany(section => section.Settings).SingleOrDefault(s => s.Variable == variable.Name);
                Assert.True(setting is not null, $"{container.Name}: {variable.Name} is no setting");
                if (variable.Value is not null) Assert.Null(setting.Fault(variable.Value));
            }
        }
    }

    [KubectlFact]
    public async Task Probes_ask_routes_that_there_are_and_wait_as_long_as_a_start_may_take()
    {
        var silo = await ContainerAsync("datahub-silo");
        foreach (var container in new[] { silo, await ContainerAsync("datahub-front-end") })
        {
            foreach (var probe in new[] { container.StartupProbe, container.ReadinessProbe, container.LivenessProbe })
            {
                Assert.Contains(probe.HttpGet.Path, new[] { "/health/live", "/health/ready", "/health/startup" });
                Assert.Contains(container.Ports, port => port.Name == probe.HttpGet.Port.Value);
            }

            Assert.Equal("/health/ready", container.ReadinessProbe.HttpGet.Path);
            Assert.Equal("/health/live", container.LivenessProbe.HttpGet.Path);
        }

        var patience = Span(silo, "DATAHUB__POSTGRES__STARTPATIENCE");
        var allowed = TimeSpan.FromSeconds(silo.StartupProbe.PeriodSeconds!.Value * (double)silo.StartupProbe.FailureThreshold!.Value);
        Assert.True(allowed > patience + s_allKilled + TimeSpan.FromSeconds(30), $"{allowed}");
    }

    [KubectlFact]
    public async Task Pods_get_more_time_to_end_than_an_orderly_end_takes()
    {
        foreach (var name in new[] { "datahub-silo", "datahub-front-end" })
        {
            var pod = (await OneAsync<V1Deployment>(name)).Spec.Template.Spec;
            var container = pod.Containers.Single();
            var needed = Span(container, "DATAHUB__HOST__DRAINDELAY") + Span(container, "DATAHUB__HOST__STOPTIMEOUT");
            Assert.True(pod.TerminationGracePeriodSeconds > needed.TotalSeconds + 5, $"{name}: {pod.TerminationGracePeriodSeconds} s for {needed}");
            // Load balancers must have noticed before connections are refused.
            Assert.True(Span(container, "DATAHUB__HOST__DRAINDELAY").TotalSeconds >= container.ReadinessProbe.PeriodSeconds * container.ReadinessProbe.FailureThreshold);
        }
    }

    [KubectlFact]
    public async Task Everything_selects_the_pods_it_means_and_one_at_a_time_may_go()
    {
        var objects = await s_rendered.Value;
        foreach (var name in new[] { "datahub-silo", "datahub-front-end" })
        {
            var deployment = await OneAsync<V1Deployment>(name);
            var labels = deployment.Spec.Template.Metadata.Labels;
            Assert.True(Selects(deployment.Spec.Selector.MatchLabels, labels));
            Assert.Equal(1, int.Parse((await OneAsync<V1PodDisruptionBudget>(name)).Spec.MaxUnavailable.Value, CultureInfo.InvariantCulture));
            Assert.True(Selects((await OneAsync<V1PodDisruptionBudget>(name)).Spec.Selector.MatchLabels, labels));
            Assert.Equal("0", deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.Value);
            Assert.True(deployment.Spec.Replicas > 1);
        }

        var silos = (await OneAsync<V1Deployment>("datahub-silo")).Spec.Template.Metadata.Labels;
        var fronts = (await OneAsync<V1Deployment>("datahub-front-end")).Spec.Template.Metadata.Labels;
        Assert.True(Selects((await OneAsync<V1Service>("datahub-silos")).Spec.Selector, silos));
        Assert.False(Selects((await OneAsync<V1Service>("datahub-silos")).Spec.Selector, fronts));
        Assert.True(Selects((await OneAsync<V1Service>("datahub")).Spec.Selector, fronts));
        Assert.False(Selects((await OneAsync<V1Service>("datahub")).Spec.Selector, silos));
        Assert.All(objects.OfType<IMetadata<V1ObjectMeta>>(), o => Assert.Equal("datahub", o.Metadata.NamespaceProperty));

        static bool Selects(IDictionary<string, string> selector, IDictionary<string, string> labels) => selector.All(pair => labels.TryGetValue(pair.Key, out var value) && value == pair.Value);
    }

    [KubectlFact]
    public async Task Pods_have_no_rights_and_front_ends_no_database()
    {
        var pods = (await s_rendered.Value).OfType<V1Deployment>().Select(d => d.Spec.Template.Spec).Append((await OneAsync<V1Job>("datahub-migrate")).Spec.Template.Spec);
        foreach (var pod in pods)
        {
            Assert.False(pod.AutomountServiceAccountToken);
            Assert.True(pod.SecurityContext.RunAsNonRoot);
            var security = pod.Containers.Single().SecurityContext;
            Assert.True(security.ReadOnlyRootFilesystem);
            Assert.False(security.AllowPrivilegeEscalation);
            Assert.Equal(["ALL"], security.Capabilities.Drop);
        }

        var frontEnd = await ContainerAsync("datahub-front-end");
        Assert.DoesNotContain(frontEnd.Env, e => e.ValueFrom is not null || e.Name.Contains("POSTGRES", StringComparison.Ordinal));
        var silo = await ContainerAsync("datahub-silo");
        Assert.Equal("silo", silo.Env.Single(e => e.Name == "DATAHUB__POSTGRES__CONNECTIONSTRING").ValueFrom.SecretKeyRef.Key);
        Assert.Equal("status.podIP", silo.Env.Single(e => e.Name == "POD_IP").ValueFrom.FieldRef.FieldPath);
        Assert.Equal("owner", (await OneAsync<V1Job>("datahub-migrate")).Spec.Template.Spec.Containers.Single().Env.Single().ValueFrom.SecretKeyRef.Key);
        Assert.True(new IngestOptions().MaxSpoolBytes < 10L << 30);
        Assert.True(new PostgresOptions().MaxConnections * 3 < 100, "three silos fit into PostgreSQL as it comes");
    }

    [KubectlFact]
    public async Task With_certificates_every_program_has_its_own_and_knows_what_silos_are_called()
    {
        var secured = await RenderAsync("tls");
        foreach (var (name, secret, settings) in new[] { ("datahub-silo", "datahub-silo-tls", Hub.Settings), ("datahub-front-end", "datahub-front-end-tls", FrontEndHost.Settings) })
        {
            var plain = (await OneAsync<V1Deployment>(name)).Spec.Template.Spec;
            var pod = secured.OfType<V1Deployment>().Single(d => d.Metadata.Name == name).Spec.Template.Spec;
            var container = pod.Containers.Single();
            var added = container.Env.Where(e => plain.Containers.Single().Env.All(before => before.Name != e.Name)).ToArray();
            // All there are, and no other.
            Assert.Equal(settings.Sections.Single(section => section.Name == TlsSettings.Section).Settings.Select(s => s.Variable).Order(StringComparer.Ordinal), added.Select(e => e.Name).Order(StringComparer.Ordinal));
            Assert.Equal("datahub-silo", added.Single(e => e.Name == "DATAHUB__TLS__SILONAME").Value);

            var volume = pod.Volumes.Single(v => v.Secret is not null);
            Assert.Equal(secret, volume.Secret.SecretName);
            var mount = container.VolumeMounts.Single(m => m.Name == volume.Name);
            Assert.True(mount.ReadOnlyProperty);
            // A file mounted by itself would never be replaced.
            Assert.Null(mount.SubPath);
            Assert.Equal(
                [$"{mount.MountPath}/ca.crt", $"{mount.MountPath}/tls.crt", $"{mount.MountPath}/tls.key"],
                added.Where(e => e.Name.EndsWith("FILE", StringComparison.Ordinal)).Select(e => e.Value).Order(StringComparer.Ordinal));
            // Readable for the group that the pod's volumes belong to.
            Assert.Equal(0x120, volume.Secret.DefaultMode);
            Assert.NotNull(pod.SecurityContext.FsGroup);
            Assert.Equal(plain.Volumes.Count + 1, pod.Volumes.Count);
        }
    }

    private static TimeSpan Span(V1Container container, string variable) => TimeSpan.Parse(container.Env.Single(e => e.Name == variable).Value, CultureInfo.InvariantCulture);

    private static int Port(V1Container container, string name) => container.Ports.Single(port => port.Name == name).ContainerPort;

    private static async Task<V1Container> ContainerAsync(string deployment) => (await OneAsync<V1Deployment>(deployment)).Spec.Template.Spec.Containers.Single();

    private static async Task<T> OneAsync<T>(string name)
        where T : IMetadata<V1ObjectMeta> => (await s_rendered.Value).OfType<T>().Single(o => o.Metadata.Name == name);

    private static async Task<IReadOnlyList<object>> RenderAsync(string overlay)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "DataHub.sln"))) folder = folder.Parent;
        using var kubectl = Process.Start(new ProcessStartInfo(KubectlFactAttribute.Kubectl!, ["kustomize", Path.Combine(folder!.FullName, "k8s", "overlays", overlay)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (rendered, errors) = (kubectl.StandardOutput.ReadToEndAsync(), kubectl.StandardError.ReadToEndAsync());
        await kubectl.WaitForExitAsync();
        Assert.True(kubectl.ExitCode == 0, await errors);
        return KubernetesYaml.LoadAllFromString(await rendered, null, strict: true);
    }
}
